import type { Socket } from 'node:net'
import { SMTPServer, type SMTPServerOptions, type SMTPServerSession } from 'smtp-server'
import { SMTPConnection, type SMTPConnectionOptions } from 'smtp-server/lib/smtp-connection.js'

/** `smtp-server` waits 100 ms before each greeting to catch clients that talk too soon; no option turns that off. */
class PromptConnection extends SMTPConnection {
  override init(): void {
    this._setListeners(() => this.connectionReady())
  }
}

/** An SMTP server that greets at once and gives access to the sockets of its sessions. */
export class PromptSmtpServer extends SMTPServer {
  readonly #sockets = new Map<string, Socket>()

  constructor(options: SMTPServerOptions) {
    super({ ...options, disableReverseLookup: true })
  }

  override connect(socket: Socket, options?: SMTPConnectionOptions | null): void {
    const connection = new PromptConnection(this, socket, options)
    this.connections.add(connection)
    this.#sockets.set(connection.id, socket)
    connection.on('error', (error) => this._onError(error))
    connection.init()
  }

  /** Listeners on the socket would not do: STARTTLS removes them. */
  override onClose(session: SMTPServerSession): void {
    this.#sockets.delete(session.id)
  }

  /** TCP connections that are open. */
  get socketCount(): number {
    return this.#sockets.size
  }

  /** The TCP connection of a session, below TLS if there is TLS. */
  socketOf(session: SMTPServerSession): Socket | undefined {
    return this.#sockets.get(session.id)
  }

  destroySockets(): void {
    for (const socket of this.#sockets.values()) socket.destroy()
  }
}
