/** The default of RabbitMQ and of amqplib. */
const defaultFrameMax = 128 * 1024

/**
 * How large a frame may be that is sent over this connection, in bytes: the broker's `frame_max`, or what the URL asks for
 * if that is less. amqplib's types do not have it.
 *
 * @param model a connection of amqplib
 */
export function frameMaxOf(model: { connection: object }): number {
  const { frameMax } = model.connection as { frameMax?: unknown }
  return typeof frameMax === 'number' ? frameMax : defaultFrameMax
}
