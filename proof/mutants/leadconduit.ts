import type { Mutant } from './mutant';

/** Mutants of `src/leadconduit/`. */
export const LEADCONDUIT: Mutant[] = [
  {
    name: 'the gate before the bytes is always open',
    file: 'leadconduit/gated-socket.ts',
    find: 'this.objection = await this.gate();',
    replace: 'this.objection = undefined;',
    tests: ['test/wire/not-sent'],
    only: 'gate',
    noticedBy: /says no: no byte of the request is seen/,
    says: /the call succeeded/,
  },
  {
    name: 'the phase is not asked: every failure counts as not sent',
    file: 'leadconduit/wire.ts',
    find: 'sent: exchange.sentAt !== undefined,',
    replace: 'sent: false,',
    tests: ['test/wire/answers'],
    only: 'sent, and tried once: (reset|no answer|body cut short|503)',
    noticedBy: /sent, and tried once: reset/,
    says: /\+ +"sent": false/,
  },
  {
    name: 'what an answer says of itself is not read',
    file: 'leadconduit/shared-looks.ts',
    find: 'if (shortfall !== undefined) return shortfall;',
    replace: '',
    tests: ['test/lists/wholeness'],
    only: 'is no whole list',
    noticedBy: /x-total-count.* is no whole list/,
    says: /must be a string/,
  },
];
