// @ts-check
import { promises } from '../promises.mjs'

const source = 'packages/message-queue/src'
const replay = 'packages/message-queue/test/replay.test.ts'

/** @type {import('../mutant.mjs').Mutant[]} */
export const replaying = [
  {
    name: 'replay-ack-after-confirm',
    promise: promises.nothingLost,
    guards: 'a dead letter is taken away when its copy is confirmed',
    file: `${source}/replaying/replay-dead-letters.ts`,
    find: `      result.failed.push({ deadLetter, error: toError(error) })
      return
`,
    replace: `      result.failed.push({ deadLetter, error: toError(error) })
      reader.ack(message)
      return
`,
    tests: { file: replay, name: 'puts back what cannot be published' },
  },
  {
    name: 'replay-mandatory',
    promise: promises.nothingLost,
    guards: 'a dead letter that no queue takes stays',
    file: `${source}/replaying/replay-dead-letters.ts`,
    find: 'mandatory: true',
    replace: 'mandatory: false',
    tests: { file: replay, name: 'puts back what cannot be published' },
  },
]
