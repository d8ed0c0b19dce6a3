export type { AnswerOptions } from './answer-script.js'
export type { ReceivedMail } from './parse-received-mail.js'
export { PromptSmtpServer } from './prompt-smtp-server.js'
export type { PushAnswer } from './push-answer.js'
export type { PushDevice } from './push-device.js'
export {
  createPushService,
  type PushAttempt,
  type PushMessage,
  type PushService,
  type PushServiceOptions,
} from './push-service.js'
export { createSelfSignedCertificate } from './self-signed-certificate.js'
export type { SmtpAnswer } from './smtp-answer.js'
export { createSmtpSink, type SmtpSink } from './smtp-sink.js'
