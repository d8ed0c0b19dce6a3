// @ts-check
import { promises } from '../promises.mjs'

const consuming = 'packages/message-queue/src/consuming'
const runtime = 'packages/worker-runtime/src'
const turns = `${consuming}/receiving/delivery-turns.ts`
const turnsTests = `${consuming}/receiving/delivery-turns.test.ts`
const breaker = `${runtime}/breaker.ts`
const breakerTests = `${runtime}/breaker.test.ts`

/** How many deliveries are taken, and when none. @type {import('../mutant.mjs').Mutant[]} */
export const intake = [
  {
    name: 'one-at-a-time',
    promise: promises.diesAlone,
    guards: 'while deliveries come that were in flight when a consumer ended, one is taken at a time',
    file: turns,
    find: "if (entry.isIsolated && this.#mode !== 'cautious') this.#change('cautious')",
    replace: '',
    tests: { file: turnsTests, name: 'goes on with one at a time' },
  },
  {
    name: 'isolated-when-idle',
    promise: promises.diesAlone,
    guards: 'a delivery that is isolated is not tried while anything else is in flight',
    file: turns,
    find: '    if (this.#atWork.size > 0) return\n',
    replace: '',
    tests: { file: turnsTests, name: 'when nothing else is in flight' },
  },
  {
    name: 'isolated-alone',
    promise: promises.diesAlone,
    guards: 'nothing is begun beside a delivery that is isolated',
    file: turns,
    find: '    if (this.#isolated !== undefined) return\n',
    replace: '',
    tests: { file: turnsTests, name: 'and nothing beside it' },
  },
  {
    name: 'isolated-fewest-ends',
    promise: promises.diesAlone,
    guards: 'those that were in flight beside the poisonous message are not dead-lettered with it',
    file: turns,
    find: 'const fewest = Math.min(',
    replace: 'const fewest = Math.max(',
    tests: { file: turnsTests, name: 'tries those that were in flight at fewer ends first' },
  },
  {
    name: 'caution-ends-alone',
    promise: promises.diesAlone,
    guards: 'only a delivery that came alone ends the caution',
    file: turns,
    find: '|| !entry.alone ||',
    replace: '||',
    tests: { file: turnsTests, name: 'stays cautious' },
  },
  {
    name: 'lost-channel-begins-again',
    promise: promises.diesAlone,
    guards: 'a consumer whose channel is lost begins again with one at a time',
    file: turns,
    find: "if (this.#mode !== 'trial' && this.#mode !== 'first') this.#change('first')",
    replace: '',
    tests: { file: turnsTests, name: 'takes one delivery first, and isolates it' },
  },
  {
    name: 'breaker-opens',
    promise: promises.survivesOutages,
    guards: 'nothing is taken while what all deliveries need is away',
    file: breaker,
    find: 'this.#misses >= missesToOpen',
    replace: 'this.#misses > missesToOpen',
    tests: { file: breakerTests, name: 'at the fifth delivery in a row' },
  },
  {
    name: 'breaker-trial',
    promise: promises.survivesOutages,
    guards: 'a dependency that answers, but does not work, costs one delivery',
    file: breaker,
    find: "if (this.#status.state === 'trial') this.#open",
    replace: "if (this.#status.state === 'trial' && this.#misses >= missesToOpen) this.#open",
    tests: { file: breakerTests, name: 'opens again at the first delivery' },
  },
  {
    name: 'breaker-used',
    promise: promises.survivesOutages,
    guards: 'only a delivery that has used the dependency closes its breaker',
    file: breaker,
    find: ' || usedAt < this.#boundary.since',
    replace: '',
    tests: { file: breakerTests, name: 'done without the dependency' },
  },
  {
    name: 'breaker-asks',
    promise: promises.survivesOutages,
    guards: 'a breaker stays open until the dependency answers',
    file: breaker,
    find: 'if (error !== undefined) this.#open(error)',
    replace: 'if (error !== undefined && !wasOpen) this.#open(error)',
    tests: { file: breakerTests, name: 'asks until it is answered' },
  },
  {
    name: 'breaker-others-open',
    promise: promises.survivesOutages,
    guards: 'a consumer stays paused while another breaker is open',
    file: `${runtime}/breakers.ts`,
    find: 'reasons.delete(name)',
    replace: 'reasons.clear()',
    tests: { file: `${runtime}/breakers.test.ts`, name: 'while any breaker is open' },
  },
  {
    name: 'breaker-before-consumer',
    promise: promises.survivesOutages,
    guards: 'a consumer that comes while a breaker is open is paused',
    file: `${runtime}/breakers.ts`,
    find: '      if (reasons.size > 0) pauseOrResume()\n',
    replace: '',
    tests: { file: `${runtime}/breakers.test.ts`, name: 'that comes while a breaker is open' },
  },
]
