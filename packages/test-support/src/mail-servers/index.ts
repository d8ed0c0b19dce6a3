export { findMailServerHost } from './find-mail-server-host.js'
export { type MailServer, startMailServer } from './mail-server.js'
export type { MailServerName, MailServerOptions } from './mail-server-options.js'
export type { DeliveredMail } from './read-delivered-mails.js'
