import type { Socket } from 'node:net'
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server'
import { SMTPConnection, type SMTPConnectionOptions } from 'smtp-server/lib/smtp-connection.js'

/** `smtp-server` waits 100 ms before each greeting to catch clients that talk too soon; no option turns that off. */
class PromptConnection extends SMTPConnection {
  override init(): void {
    this._setListeners(() => this.connectionReady())
  }
}

/** An SMTP server that greets at once and knows its TCP connections. */
export class PromptSmtpServer extends SMTPServer {
  readonly #sockets = new Set<Socket>()
  readonly #socketBySession = new Map<string, Socket>()

  constructor(options: SMTPServerOptions) {
    super({ ...options, disableReverseLookup: true })
    // `connect` is called a turn later, and by then the server may be closed.
    this.server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
  }

  override connect(socket: Socket, options?: SMTPConnectionOptions | null): void {
    if (socket.destroyed) return
    const connection = new PromptConnection(this, socket, options)
    this.connections.add(connection)
    this.#socketBySession.set(connection.id, socket)
    connection.on('error', (error) => this._onError(error))
    connection.init()
  }

  override onClose(session: SMTPServerSession): void {
    this.#socketBySession.delete(session.id)
  }

  /** TCP connections that are open. */
  countSockets(): number {
    // STARTTLS removes the listener for 'close'.
    for (const socket of this.#sockets) if (socket.destroyed) this.#sockets.delete(socket)
    return this.#sockets.size
  }

  /** Ends the TCP connection of a session, below TLS if there is TLS. */
  drop(session: SMTPServerSession): void {
    this.#socketBySession.get(session.id)?.destroy()
  }

  destroySockets(): void {
    for (const socket of this.#sockets) socket.destroy()
  }
}
