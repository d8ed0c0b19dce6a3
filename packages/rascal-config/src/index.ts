export type { BrokerConfig } from './broker-config.js'
export { BrokerUrlError } from './broker-url-error.js'
export { createBrokerUsers } from './broker-users.js'
export type { TopologyMode } from './create-rascal-configs.js'
export { createForwardConfig, createTopologyConfig } from './create-rascal-configs.js'
export { exchangeOfType } from './exchange-of-type.js'
export type { WorkQueueName } from './names.js'
export {
  deadLetterExchange,
  deadLetterPublicationName,
  deadLetterQueueName,
  migratingQueueName,
  realtimeExchange,
  retryExchangeName,
  retryPublicationName,
  retryQueueName,
  vhostName,
  workQueueNames,
} from './names.js'
export { parseBrokerUrl } from './parse-broker-url.js'
export { migratingQueueOf } from './queues.js'
export { renderDefinitions } from './render-definitions.js'
export { renderPermissions } from './render-permissions.js'
export type { RetryStep } from './retry.js'
export { retryQueueNames } from './retry-queue-names.js'
export { createTopology, topologyOf } from './topology.js'
export type { Topology } from './topology-types.js'
export type { WorkQueue } from './work-queues.js'
export { workQueues } from './work-queues.js'
