// Bundles the client as a page would and prints what travels; fails above the budget, so that it can stand in a pipeline.
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'vite';

const budget = 12 * 1024;
const output = await build({
  root: fileURLToPath(new URL('..', import.meta.url)),
  configFile: false,
  logLevel: 'error',
  build: { write: false, minify: true, target: 'es2022', rolldownOptions: { input: 'src/index.ts', preserveEntrySignatures: 'strict' } },
});
const [bundle] = Array.isArray(output) ? output : [output];
const code = bundle.output.map((chunk) => (chunk.type === 'chunk' ? chunk.code : '')).join('');
const bytes = gzipSync(code, { level: 9 }).length;
console.log(`${bytes} bytes gzip (${code.length} minified), budget ${budget}`);
process.exitCode = bytes > budget ? 1 : 0;
