/** A worker of workerd that keeps what it is asked to in a store in memory. */
import { open } from 'varve';

let opening;

export default {
  async fetch(request) {
    const db = await (opening ??= open(':memory:'));
    const visits = await db.transact((tx) => {
      const count = (tx.get('visits') ?? 0) + 1;
      tx.put('visits', count);
      return count;
    });
    db.putSync(['path', new URL(request.url).pathname], { visits });
    return Response.json({ visits, paths: Array.from(db.scan({ prefix: ['path'] }), ({ key, value }) => [key[1], value.visits]) });
  },
};
