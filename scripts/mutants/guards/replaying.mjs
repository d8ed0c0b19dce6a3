// @ts-check

const source = 'packages/message-queue/src'
const replay = 'packages/message-queue/test/replay.test.ts'

/** @type {import('../mutant.mjs').Mutant[]} */
export const replaying = [
  {
    name: 'replay-strips-our-headers',
    guards: 'a replay begins with no attempts and no failures',
    file: `${source}/replaying/replay-headers.ts`,
    find: '.filter(([name]) => kept.has(name))',
    replace: '.filter(([name]) => !kept.has(name) || name)',
    tests: { file: `${source}/replaying/replay-headers.test.ts` },
  },
  {
    name: 'replay-strips-x-death',
    guards: 'a replay does not carry the broker’s records of the life that ended',
    file: `${source}/headers.ts`,
    find: '|x-death|',
    replace: '|',
    tests: { file: `${source}/replaying/replay-headers.test.ts` },
  },
  {
    name: 'replay-ack-after-confirm',
    guards: 'a dead letter is taken away when its copy is confirmed',
    file: `${source}/replaying/replay-dead-letters.ts`,
    find: `      result.failed.push({ deadLetter, error: toError(error) })
      return
`,
    replace: `      result.failed.push({ deadLetter, error: toError(error) })
      channel.ack(message)
      return
`,
    tests: { file: replay, name: 'puts back what cannot be published' },
  },
  {
    name: 'replay-mandatory',
    guards: 'a dead letter that no queue takes stays',
    file: `${source}/replaying/replay-dead-letters.ts`,
    find: 'mandatory: true',
    replace: 'mandatory: false',
    tests: { file: replay, name: 'puts back what cannot be published' },
  },
  {
    name: 'replay-ends',
    guards: 'a replay does not chase what fails again',
    file: `${source}/replaying/replay-dead-letters.ts`,
    find: '        unseen -= messages.length\n',
    replace: '',
    tests: { file: replay, name: 'does not chase what fails again' },
  },
  {
    name: 'replay-age',
    guards: 'what had expired does not expire again at once',
    file: `${source}/consuming/parse-delivery.ts`,
    find: 'publishedAt: replayedAt ?? notAfter(',
    replace: 'publishedAt: notAfter(',
    tests: { file: replay, name: 'too old for the worker' },
  },
]
