/** Loaded into our programs by `node --require`, for failures that no plain signal causes. */
const { existsSync } = require('node:fs');
const { basename } = require('node:path');
const { isMainThread } = require('node:worker_threads');

const program = basename(process.argv[1] ?? '', '.js');
if (isMainThread && existsSync(`${process.env.SABOTAGE_FOLDER}/no-${program}`)) {
  console.error(`no ${program} today`);
  process.exit(3);
}
if (isMainThread && program === 'worker') {
  const { Worker } = require('@temporalio/worker');
  const create = Worker.create.bind(Worker);
  Worker.create = async (options) => {
    const worker = await create(options);
    // A shutdown that nobody asked for, such as the SDK may begin by itself. It lasts for as long as a call does.
    process.on('SIGUSR2', () => worker.shutdown());
    return worker;
  };
  process.on('SIGPWR', () => {
    for (;;);
  });
}
