/** What every store does, for stores in files of the browser. */
import { storeContract } from '../../contract/store.js';

let fileCount = 0;
storeContract(() => `store/${fileCount++}.varve`);
