export type { BadMessage } from './conformance/bad-message.js'
export { type DocumentedRecipient, readDocumentedRecipients } from './conformance/bad-recipient.js'
export { describeBadInput } from './conformance/describe-bad-input.js'
export { describeDatabaseOutage } from './conformance/describe-database-outage.js'
export { describeDefinitions } from './conformance/describe-definitions.js'
export { describeEnvironment } from './conformance/describe-environment.js'
export { describeFleet } from './conformance/describe-fleet.js'
export { describeOutage } from './conformance/describe-outage.js'
export { describePlainClient } from './conformance/describe-plain-client.js'
export { describeRedelivery } from './conformance/describe-redelivery.js'
export { describeStartUp } from './conformance/describe-start-up.js'
export { describeStop } from './conformance/describe-stop.js'
export type { ExpectOnceOptions, FarEnd, WatchedEffects, WorkerUnderTest } from './conformance/worker-under-test.js'
export type { BrokerConnection } from './management-api.js'
export { migrate } from './migrate.js'
export { printNumbers } from './print-numbers.js'
export { createRecordingLogger, type LoggedLine, type RecordingLogger } from './recording-logger.js'
export type {
  AnswerOptions,
  PushAnswer,
  PushAttempt,
  PushDevice,
  PushMessage,
  PushService,
  ReceivedMail,
  SmtpAnswer,
  SmtpSink,
} from './sinks/index.js'
export { type LogRecord, spawnWorker, type WorkerProcess } from './spawn-worker.js'
export { createTcpProxy, type TcpProxy } from './tcp-proxy.js'
export { type TestFixtures, test } from './test.js'
export type { TestDatabase } from './test-database.js'
export type { TestVhost } from './test-vhost.js'
export type { PublishProperties, TestMessage } from './vhost-client.js'
export { type NonFalsy, type WaitForOptions, waitFor } from './wait-for.js'
export type { WorkerSupervisor } from './worker-supervisor.js'
