export async function openNodeFile(): Promise<any> { throw new Error('stub'); }
