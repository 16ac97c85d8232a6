// Bundles the workflows once at build time: a worker then starts in about half the time (docs: temporal worker bundling).
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const { bundleWorkflowCode, DefaultLogger } = require('@temporalio/worker');
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = process.argv[2] ? join(root, process.argv[2]) : join(root, 'dist');

const { code } = await bundleWorkflowCode({
  workflowsPath: join(dist, 'workflows', 'index.js'),
  logger: new DefaultLogger('WARN'),
});
await writeFile(join(dist, 'workflow-bundle.js'), code);
