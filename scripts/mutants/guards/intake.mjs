// @ts-check
import { promises } from '../promises.mjs'

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
    promise: promises.diesAlone,
    guards: 'where somebody has died over a delivery, one is taken at a time',
    file: caution,
    find: "if (visitor.isSuspect && this.#mode !== 'cautious') this.#change('cautious')",
    replace: '',
    tests: { file: cautionTests, name: 'goes on with one at a time' },
  },
  {
    name: 'suspect-when-idle',
    promise: promises.diesAlone,
    guards: 'a suspect is not tried while anything else is in flight',
    file: caution,
    find: '    if (this.#atWork.size > 0) return\n',
    replace: '',
    tests: { file: cautionTests, name: 'when nothing else is in flight' },
  },
  {
    name: 'suspect-alone',
    promise: promises.diesAlone,
    guards: 'nothing is begun beside a suspect',
    file: caution,
    find: '    if (this.#suspectAtWork !== undefined) return\n',
    replace: '',
    tests: { file: cautionTests, name: 'and nothing beside it' },
  },
  {
    name: 'suspect-fewest-deaths',
    promise: promises.diesAlone,
    guards: 'those who died with the poisonous message are not given up with it',
    file: caution,
    find: 'const fewest = Math.min(',
    replace: 'const fewest = Math.max(',
    tests: { file: cautionTests, name: 'tries those with fewer deaths first' },
  },
  {
    name: 'caution-ends-alone',
    promise: promises.diesAlone,
    guards: 'only a delivery that came alone ends the caution',
    file: caution,
    find: '|| !visitor.alone ||',
    replace: '||',
    tests: { file: cautionTests, name: 'stays cautious' },
  },
  {
    name: 'breaker-opens',
    promise: promises.survivesOutages,
    guards: 'nothing is taken while what all deliveries need is away',
    file: breaker,
    find: 'failures >= failuresToOpen',
    replace: 'failures > failuresToOpen',
    tests: { file: breakerTests, name: 'at the fifth delivery in a row' },
  },
  {
    name: 'breaker-trial',
    promise: promises.survivesOutages,
    guards: 'a dependency that answers, but does not work, costs one delivery',
    file: breaker,
    find: "if (status.state === 'trial') open",
    replace: "if (status.state === 'trial' && failures >= failuresToOpen) open",
    tests: { file: breakerTests, name: 'opens again at the first delivery' },
  },
  {
    name: 'breaker-used',
    promise: promises.survivesOutages,
    guards: 'only a delivery that has used the dependency closes its breaker',
    file: breaker,
    find: ' || usedAt < trialSince',
    replace: '',
    tests: { file: breakerTests, name: 'done without the dependency' },
  },
  {
    name: 'breaker-asks',
    promise: promises.survivesOutages,
    guards: 'a breaker stays open until the dependency answers',
    file: breaker,
    find: "return { state: 'open', error: describeError(error) }",
    replace: "return { state: 'trial', error: describeError(error) }",
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
    find: '      if (reasons.size > 0) apply()\n',
    replace: '',
    tests: { file: `${runtime}/breakers.test.ts`, name: 'that comes while a breaker is open' },
  },
]
