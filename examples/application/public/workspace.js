// @ts-check
import { connectRealtime } from '@mono/realtime/browser'
import { call } from './api.js'
import { AuditTrail } from './audit.js'
import { OpenConversation } from './conversation.js'
import { ConversationList } from './conversations.js'
import { ThisDevice } from './devices.js'
import { healthEvents } from './health.js'
import { openNotifyForm } from './notify.js'
import { OutgoingMessages } from './outgoing.js'
import { ReadMarks } from './read-marks.js'

/** @import { SenderOf } from './timeline.js' */
/** @import { Conversation, Session, Site, User } from './types.js' */

/**
 * @typedef {object} Workspace
 * @property {() => Promise<void>} forgetDevice to be called before logging out
 * @property {() => void} close
 */

/**
 * All that a user who has logged in sees.
 *
 * @param {{ site: Site, session: Session, users: User[] }} options
 * @returns {Promise<Workspace>}
 * @throws ApiError
 */
export async function openWorkspace({ site, session, users }) {
  /** @type {Conversation[]} */
  const conversations = await call('GET', '/conversations')
  const colleagues = users.filter(({ tenantId }) => tenantId === session.tenantId)
  /** @param {string} userId */
  const nameOf = (userId) => colleagues.find((user) => user.userId === userId)?.name ?? userId
  /** @type {SenderOf} */
  const describeSender = ({ senderId }) => ({ name: nameOf(senderId), isOwn: senderId === session.userId })

  const realtime = connectRealtime({
    url: site.realtimeUrls,
    getToken: ({ signal }) => call('POST', '/realtime-token', { signal }),
    loadAfter: (open, { signal }) => call('POST', '/messages-after', { body: open, signal }),
  })
  const audit = new AuditTrail({ nameOf })
  const device = new ThisDevice({ site, session })
  const closeNotifyForm = openNotifyForm({ session, onNotified: (id) => audit.expect(id) })
  const outgoing = new Map(
    conversations.map(({ conversationId }) => [
      conversationId,
      new OutgoingMessages({ conversationId, session, onAccepted: (id) => audit.expect(id) }),
    ]),
  )
  /** @type {OpenConversation | undefined} */
  let open
  const list = new ConversationList({
    conversations,
    realtime,
    readMarks: new ReadMarks(session),
    onChoose(conversation) {
      open?.close()
      rememberChoice(conversation)
      open = new OpenConversation({
        conversation,
        realtime,
        describeSender,
        outgoing: /** @type {OutgoingMessages} */ (outgoing.get(conversation.conversationId)),
        onStored({ sequence }) {
          list.show(conversation, sequence)
          audit.refreshSoon()
        },
      })
    },
  })
  const [first] = conversations
  const chosen = conversations.find(({ conversationId }) => conversationId === readChoice()) ?? first
  if (chosen) list.choose(chosen)

  const closing = new AbortController()
  const refresh = () => Promise.all([open?.refresh(), audit.refresh()])
  healthEvents.addEventListener('back', refresh, { signal: closing.signal })

  return {
    forgetDevice: () => device.forget(),
    close() {
      closing.abort()
      open?.close()
      for (const messages of outgoing.values()) messages.close()
      list.close()
      closeNotifyForm()
      device.close()
      audit.close()
      realtime.close()
    },
  }
}

const readChoice = () => new URLSearchParams(location.search).get('conversation')

/** So that a page that is loaded again opens the same one. @param {Conversation} conversation */
function rememberChoice({ conversationId }) {
  history.replaceState(null, '', `?${new URLSearchParams({ conversation: conversationId })}`)
}
