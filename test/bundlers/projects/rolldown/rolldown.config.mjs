/** Rolldown finds packages itself, for browsers. */
export default { input: 'main.js', platform: 'browser', output: { dir: 'dist', format: 'esm' } };
