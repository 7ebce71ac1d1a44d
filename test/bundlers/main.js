/** The program of each project: counts its visits, and keeps some cities in order. What came of it is `outcome`. */
import { open } from 'varve';

async function visit() {
  const db = await open('visits.varve');
  try {
    const before = await db.get('visits');
    await db.put('visits', (before ?? 0) + 1);
    await db.batch(['Oslo', 'Bergen', 'Tromsø'].map((name, index) => ({ type: 'put', key: ['city', name], value: { name, index } })));
    const cities = [];
    for await (const { key } of db.scan({ prefix: ['city'] })) cities.push(key[1]);
    // What is loaded when it is first asked for has to be found too.
    const lines = await new Response(db.export({ prefix: ['city'] })).text();
    return { before, after: await db.get('visits'), cities, oslo: await db.get(['city', 'Oslo']), exported: lines.trim().split('\n').length };
  } finally {
    await db.close();
  }
}

globalThis.outcome = visit().catch((error) => ({ error: `${error.name}: ${error.message}` }));
