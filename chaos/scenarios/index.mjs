// @ts-check
import { cutNetwork } from './cut-network.mjs'
import { freezeDatabase } from './freeze-database.mjs'
import { killWorkers } from './kill-workers.mjs'
import { memoryAlarm } from './memory-alarm.mjs'
import { poison } from './poison.mjs'
import { stopBroker } from './stop-broker.mjs'

/** In the order in which they are run. @type {import('../scenario.mjs').Scenario[]} */
export const scenarios = [killWorkers, stopBroker, freezeDatabase, memoryAlarm, cutNetwork, poison]
