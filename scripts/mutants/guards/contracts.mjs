// @ts-check

const source = 'packages/contracts/src'

/** @type {import('../mutant.mjs').Mutant[]} */
export const contracts = [
  {
    name: 'template-name',
    guards: 'a template name is no path',
    file: `${source}/email-notification.ts`,
    find: '/^[a-z0-9-]+$/',
    replace: '/^[a-z0-9./-]+$/',
    tests: { file: `${source}/serialize-payload.test.ts`, name: 'hold at the boundary' },
  },
  {
    name: 'recipients-limit',
    guards: 'a message is for somebody, and for no more than the limit',
    file: `${source}/fields.ts`,
    find: 'value.length < 1 || value.length > max',
    replace: 'value.length < 0',
    tests: { file: `${source}/serialize-payload.test.ts`, name: 'hold at the boundary' },
  },
  {
    name: 'address-plain',
    guards: 'a recipient is one plain address',
    file: `${source}/find-address-fault.ts`,
    find: 'if (address.test(value) && !emptyLabel',
    replace: 'if ((address.test(value) || true) && !emptyLabel',
    tests: { file: `${source}/find-address-fault.test.ts` },
  },
  {
    name: 'record-depth',
    guards: 'a record that is too deep is refused',
    file: `${source}/limits.ts`,
    find: 'recordDepth: 32',
    replace: 'recordDepth: 320_000',
    tests: { file: `${source}/find-record-faults.test.ts` },
  },
]
