// @ts-check

const consuming = 'packages/message-queue/src/consuming'
const runtime = 'packages/worker-runtime/src'
const caution = `${consuming}/caution.ts`
const cautionTests = `${consuming}/caution.test.ts`
const breaker = `${runtime}/breaker.ts`
const breakerTests = `${runtime}/breaker.test.ts`

/** How many deliveries are taken, and when none. @type {import('../mutant.mjs').Mutant[]} */
export const intake = [
  {
    name: 'cautious',
    guards: 'where somebody has died over a delivery, one is taken at a time',
    file: caution,
    find: "if (visitor.isSuspect && this.#mode !== 'cautious') this.#change('cautious')",
    replace: '',
    tests: { file: cautionTests, name: 'goes on with one at a time' },
  },
  {
    name: 'cautious-one-registered',
    guards: 'the broker sends one at a time while the consumer is cautious',
    file: `${consuming}/queue-consumer.ts`,
    find: "this.#caution.mode === 'normal' ? this.#prefetch : 1",
    replace: 'this.#prefetch',
    tests: { file: 'packages/message-queue/test/crash-loop.test.ts' },
  },
  {
    name: 'suspect-when-idle',
    guards: 'a suspect is not tried while anything else is in hand',
    file: caution,
    find: '    if (this.#atWork.size > 0) return\n',
    replace: '',
    tests: { file: cautionTests, name: 'when nothing else is in hand' },
  },
  {
    name: 'suspect-alone',
    guards: 'nothing is begun beside a suspect',
    file: caution,
    find: '    if (this.#suspectAtWork !== undefined) return\n',
    replace: '',
    tests: { file: cautionTests, name: 'and nothing beside it' },
  },
  {
    name: 'suspect-fewest-deaths',
    guards: 'those who died with the poisonous message are not given up with it',
    file: caution,
    find: 'const fewest = Math.min(',
    replace: 'const fewest = Math.max(',
    tests: { file: cautionTests, name: 'tries those with fewer deaths first' },
  },
  {
    name: 'caution-ends-alone',
    guards: 'only a delivery that came alone ends the caution',
    file: caution,
    find: '|| !visitor.alone ||',
    replace: '||',
    tests: { file: cautionTests, name: 'stays cautious' },
  },
  {
    name: 'delivery-count-forged',
    guards: 'a publisher cannot make a first delivery a suspect',
    file: `${consuming}/delivery.ts`,
    find: 'return fields.redelivered && typeof count',
    replace: 'void fields\n  return typeof count',
    tests: { file: `${consuming}/delivery.test.ts` },
  },
  {
    name: 'paused',
    guards: 'a paused consumer takes nothing',
    file: `${consuming}/queue-consumer.ts`,
    find: "if (this.#state === 'paused') this.#link.setPrefetch(0)",
    replace: "if (this.#state === 'failed') this.#link.setPrefetch(0)",
    tests: { file: 'packages/message-queue/test/consumer-pause.test.ts', name: 'takes nothing' },
  },
  {
    name: 'prefetch-exchanged',
    guards: 'a new prefetch holds at once',
    file: `${consuming}/tapped-consumer.ts`,
    find: 'this.#current.prefetch !== this.#wanted)',
    replace: 'this.#wanted === 0)',
    tests: { file: `${consuming}/tapped-consumer.test.ts`, name: 'is cancelled at once' },
  },
  {
    name: 'stall-noticed',
    guards: 'a consumer that the broker has forgotten registers again',
    file: `${consuming}/queue-consumer.ts`,
    find: '        this.#link.renew()\n',
    replace: '',
    tests: { file: 'packages/message-queue/test/consumer-recovery.test.ts', name: 'that the broker has forgotten' },
  },
  {
    name: 'stall-twice',
    guards: 'one look at waiting messages is no stall',
    file: `${consuming}/stall-watch.ts`,
    find: 'if (isWaiting && waitedBefore) {',
    replace: 'if (isWaiting) {',
    tests: { file: `${consuming}/stall-watch.test.ts`, name: 'a consumer is stalled' },
  },
  {
    name: 'breaker-opens',
    guards: 'nothing is taken while what all deliveries need is away',
    file: breaker,
    find: 'failures >= failuresToOpen',
    replace: 'failures > failuresToOpen',
    tests: { file: breakerTests, name: 'at the fifth delivery in a row' },
  },
  {
    name: 'breaker-trial',
    guards: 'a dependency that answers, but does not work, costs one delivery',
    file: breaker,
    find: "status.state === 'trial' || failures",
    replace: 'failures',
    tests: { file: breakerTests, name: 'opens again at the first delivery' },
  },
  {
    name: 'breaker-asks',
    guards: 'a breaker stays open until the dependency answers',
    file: breaker,
    find: "return { state: 'open', error: describeError(error) }",
    replace: "return { state: 'trial', error: describeError(error) }",
    tests: { file: breakerTests, name: 'asks until it is answered' },
  },
  {
    name: 'breaker-others-open',
    guards: 'a consumer stays paused while another breaker is open',
    file: `${runtime}/breakers.ts`,
    find: 'reasons.delete(name)',
    replace: 'reasons.clear()',
    tests: { file: `${runtime}/breakers.test.ts`, name: 'while any breaker is open' },
  },
  {
    name: 'breaker-before-consumer',
    guards: 'a consumer that comes while a breaker is open is paused',
    file: `${runtime}/breakers.ts`,
    find: '      if (reasons.size > 0) apply()\n',
    replace: '',
    tests: { file: `${runtime}/breakers.test.ts`, name: 'that comes while a breaker is open' },
  },
]
