// @ts-check
import { cutNetwork } from './cut-network.mjs'
import { dayOfAMailServer, dayOfExim, dayOfScriptedServer } from './day-of-a-mail-server.mjs'
import { deadlyMessages } from './deadly-messages.mjs'
import { deepHeaders } from './deep-headers.mjs'
import { deleteQueues } from './delete-queues.mjs'
import { diskAlarm } from './disk-alarm.mjs'
import { expiry } from './expiry.mjs'
import { failOverDatabase } from './fail-over-database.mjs'
import { flappingNetwork } from './flapping-network.mjs'
import { freezeBroker } from './freeze-broker.mjs'
import { freezeDatabase } from './freeze-database.mjs'
import { frozenWorker } from './frozen-worker.mjs'
import { fullQueues } from './full-queues.mjs'
import { killBroker } from './kill-broker.mjs'
import { killDatabase } from './kill-database.mjs'
import { killWorkers } from './kill-workers.mjs'
import { memoryAlarm } from './memory-alarm.mjs'
import { mutatedMessages } from './mutated-messages.mjs'
import { poison } from './poison.mjs'
import { pushScenarios } from './push.mjs'
import { refuseStatements } from './refuse-statements.mjs'
import { rollingRestart } from './rolling-restart.mjs'
import { slowDatabase } from './slow-database.mjs'
import { smtpAway, smtpDrops, smtpHangs, smtpPerRecipient, smtpRefuses } from './smtp.mjs'
import { stopBroker } from './stop-broker.mjs'

/** In the order in which they are run. @type {import('../scenario.mjs').Scenario[]} */
export const scenarios = [
  killWorkers,
  stopBroker,
  freezeDatabase,
  memoryAlarm,
  cutNetwork,
  flappingNetwork,
  poison,
  rollingRestart,
  frozenWorker,
  killBroker,
  freezeBroker,
  killDatabase,
  failOverDatabase,
  refuseStatements,
  slowDatabase,
  diskAlarm,
  fullQueues,
  expiry,
  deleteQueues,
  smtpAway,
  smtpRefuses,
  smtpHangs,
  smtpDrops,
  smtpPerRecipient,
  ...pushScenarios,
  mutatedMessages,
  deadlyMessages,
  deepHeaders,
  dayOfAMailServer,
  dayOfExim,
  dayOfScriptedServer,
]
