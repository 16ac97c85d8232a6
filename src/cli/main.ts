#!/usr/bin/env node
import { runCli } from './run-cli';

// The command has ended: a handle that some library leaves open must not keep the process.
void runCli(process.argv.slice(2), { out: process.stdout, err: process.stderr }).then((code) =>
  process.exit(code),
);
