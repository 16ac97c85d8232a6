/**
 * An agent that does nothing but run one command, as a process of its own that a test can kill.
 * Argument: JSON {source, directory, argv}. Its tool is the product's, with the marks of its own environment.
 */
const { source, directory, argv } = JSON.parse(process.argv[2]);
const { createRunCommand } = require(`${source}/activities/tools/run-command.js`);
const { marksOf } = require(`${source}/client/process-mark.js`);

const tool = createRunCommand({ commands: { directories: [directory], marks: marksOf(process.env) } });
const scope = { signal: new AbortController().signal };
void tool.run({ argv }, scope);
