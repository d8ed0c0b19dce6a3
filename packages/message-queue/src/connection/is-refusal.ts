/** AMQP 0-9-1, connection-forced: an operator closes the connection, or the broker stops. */
const connectionForced = 320

/** The broker is there and says no. In a handshake amqplib tells that by its text only. */
export function isRefusal({ code, message }: Error & { code?: unknown }): boolean {
  if (typeof code === 'number') return code !== connectionForced
  return /Handshake terminated by server|got <ConnectionClose/.test(message)
}
