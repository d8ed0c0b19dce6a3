// @ts-check
import { promises } from '../promises.mjs'

const source = 'packages/message-queue/src'
const reader = `${source}/replaying/dead-letter-reader`
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
  {
    name: 'unreadable-passed-over',
    promise: promises.passedOver,
    guards: 'a dead letter that cannot be read does not end the replay',
    file: `${reader}.ts`,
    find: "      if (ended?.aborted && this.#connection.lastError instanceof UnreadableFrameError) return 'unreadable'\n",
    replace: '      void [ended, UnreadableFrameError]\n',
    tests: { file: `${reader}.test.ts`, name: 'passes over one that cannot be read' },
  },
  {
    name: 'unreadable-and-no-other',
    promise: promises.passedOver,
    guards: 'nothing is set aside before the broker has put back what was taken',
    file: `${reader}.ts`,
    find: 'await this.#untilPutBack(await this.#open())',
    replace: 'await this.#open()',
    tests: {
      file: `${reader}.test.ts`,
      name: 'sets aside that one, however long the broker takes to put back the others',
    },
  },
]
