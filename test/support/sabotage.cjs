/** Loaded into our programs by `node --require`, for what no signal of the system's does to them. */
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
    // A shutdown that nobody asked for, as the SDK begins one by itself: it lasts for as long as a call does.
    process.on('SIGUSR2', () => worker.shutdown());
    return worker;
  };
  process.on('SIGPWR', () => {
    for (;;);
  });
}
