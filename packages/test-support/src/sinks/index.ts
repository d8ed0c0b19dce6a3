export type { ApnsAnswer } from './apns-answer.js'
export { type ApnsKey, createApnsKey } from './apns-key.js'
export { type ApnsNotification, type ApnsService, type ApnsServiceOptions, createApnsService } from './apns-service.js'
export type { FcmDevice } from './check-fcm-request.js'
export type { FcmAnswer } from './fcm-answer.js'
export { createFcmError } from './fcm-error.js'
export { createFcmService, type FcmService, type FcmServiceOptions } from './fcm-service.js'
export { createMailPage } from './mail-page.js'
export { createMailgunError } from './mailgun-refusal.js'
export {
  createMailgunService,
  type MailgunAnswer,
  type MailgunMail,
  type MailgunService,
  type MailgunServiceOptions,
} from './mailgun-service.js'
export {
  createOAuthTokenEndpoint,
  type OAuthTokenEndpoint,
  type OAuthTokenEndpointOptions,
} from './oauth-token-endpoint.js'
export type { ReceivedMail } from './parse-received-mail.js'
export { PromptSmtpServer } from './prompt-smtp-server.js'
export type { PushAnswer } from './push-answer.js'
export type { PushDevice } from './push-device.js'
export { createPushService, type PushMessage, type PushService, type PushServiceOptions } from './push-service.js'
export {
  createCertificateAuthority,
  createSelfSignedCertificate,
} from './self-signed-certificate.js'
export type { SmtpAnswer } from './smtp-answer.js'
export { createSmtpSink, type SmtpSink, type SmtpSinkOptions } from './smtp-sink.js'
