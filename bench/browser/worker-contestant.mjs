/** A contestant of a page that is a worker, with a heap, a compiler and garbage of its own. */

/** @param {any} reply */
export function unlessError(reply) {
  if (reply.error !== undefined) throw new Error(reply.error);
  return reply;
}

export class WorkerContestant {
  /** @param {string} name which the worker is told @param {string} script */
  constructor(name, script) {
    this.name = name;
    this.worker = new Worker(script, { type: 'module', name });
  }

  /** @param {object} message @returns {Promise<any>} */
  ask(message) {
    return new Promise((resolve, reject) => {
      this.worker.onmessage = ({ data }) => resolve(data);
      this.worker.onerror = (event) => reject(new Error(`The worker of ${this.name} has failed: ${event.message}`));
      this.worker.postMessage(message);
    }).then(unlessError);
  }

  end() {
    this.worker.terminate();
  }
}
