export type { AnswerOptions } from './answer-script.js'
export type { ReceivedMail } from './parse-received-mail.js'
export type { PushAnswer } from './push-answer.js'
export type { PushDevice } from './push-device.js'
export {
  createPushService,
  type PushAttempt,
  type PushMessage,
  type PushService,
  type PushServiceOptions,
} from './push-service.js'
export type { SmtpAnswer } from './smtp-answer.js'
export { createSmtpSink, type SmtpSink } from './smtp-sink.js'
