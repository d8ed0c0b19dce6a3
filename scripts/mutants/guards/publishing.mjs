// @ts-check
import { promises } from '../promises.mjs'

const source = 'packages/message-queue/src/publishing'
const lane = `${source}/publish-lane.test.ts`
const publisher = `${source}/publisher.test.ts`

/** @type {import('../mutant.mjs').Mutant[]} */
export const publishing = [
  {
    name: 'send-mandatory',
    promise: promises.sendSettles,
    guards: 'a message that no queue takes comes back',
    file: 'packages/message-queue/src/message-queue.ts',
    find: 'mandatory: true',
    replace: 'mandatory: false',
    tests: { file: 'packages/message-queue/test/publish-routing.test.ts', name: 'that was sent' },
  },
  {
    name: 'publish-mandatory',
    promise: promises.sendSettles,
    guards: 'the broker is told that the message is mandatory',
    file: `${source}/publish-channel.ts`,
    find: '    mandatory,\n    persistent,\n',
    replace: '    persistent,\n',
    tests: { file: lane, name: 'hands the properties' },
  },
  {
    name: 'publish-confirm',
    promise: promises.sendSettles,
    guards: 'a publish waits for its confirm',
    file: `${source}/publish-channel.ts`,
    find: '    this.window.add(pending)\n',
    replace: '    this.window.add(pending)\n    pending.resolve()\n',
    tests: { file: lane, name: 'resolves when the broker confirms, and not before' },
  },
  {
    name: 'publish-return',
    promise: promises.sendSettles,
    guards: 'a return before the confirm makes a failure of it',
    file: `${source}/publish-channel.ts`,
    find: 'if (pending) this.#listener.onReturned(pending, replyText)',
    replace: 'void [pending, replyText]',
    tests: { file: lane, name: 'a message that is returned rejects' },
  },
  {
    name: 'publish-refused',
    promise: promises.sendSettles,
    guards: 'a refusal by the broker is no success',
    file: `${source}/publish-channel.ts`,
    find: 'this.#listener.onRefused(pending)',
    replace: 'this.#listener.onConfirmed(pending)',
    tests: { file: lane, name: 'a message that the broker refuses rejects' },
  },
  {
    name: 'publish-deadline',
    promise: promises.sendSettles,
    guards: 'a publish ends by its deadline',
    file: `${source}/publish-lane.ts`,
    find: 'if (pending.deadlineAt <= now) pending.reject(this.#due(pending))',
    replace: 'if (pending.deadlineAt <= now) continue',
    tests: { file: publisher, name: 'what waits for an absent broker fails by its deadline' },
  },
  {
    name: 'publish-unknown-outcome',
    promise: promises.sendSettles,
    guards: 'of what was sent nobody says that it was not',
    file: `${source}/publish-lane.ts`,
    find: 'if (pending.sent) return createUnknownOutcomeError(pending, `no confirm',
    replace: 'if (pending.settled) return createUnknownOutcomeError(pending, `no confirm',
    tests: { file: publisher, name: 'blocked until the deadline' },
  },
  {
    name: 'publish-settled-not-again',
    promise: promises.sendSettles,
    guards: 'what has failed is not sent again',
    file: `${source}/publish-lane.ts`,
    find: 'this.#queue.unshiftAll(unsettled)\n      return\n    }\n    if (isOverMessage',
    replace: 'this.#queue.unshiftAll(unconfirmed)\n      return\n    }\n    if (isOverMessage',
    tests: { file: lane, name: 'what already failed is not sent again' },
  },
]
