/** Builds the page as webpack does without any setting, and fails with whatever it warns of. */
import webpack from 'webpack';

const compiler = webpack({ mode: 'production', context: import.meta.dirname, entry: './main.js', performance: { hints: false } });
const stats = await new Promise((resolve, reject) => compiler.run((error, result) => (error ? reject(error) : resolve(result))));
await new Promise((resolve) => compiler.close(resolve));
if (stats.hasErrors() || stats.hasWarnings()) throw new Error(stats.toString('errors-warnings'));
