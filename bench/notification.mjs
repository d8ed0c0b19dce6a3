// @ts-check

/**
 * A notification such as an application sends for every chat message: about 300 bytes when a device gets it.
 * @param {string[]} recipientIds
 * @returns {import('@mono/contracts').PushNotification}
 */
export function createNotification(recipientIds) {
  return {
    recipientIds,
    title: 'New message from Ada',
    body: 'Shall we meet for lunch at the usual place? I have booked a table for half past twelve.',
    data: { conversationId: 'conversation-7', senderId: 'user-17', unread: 3, url: '/chat/conversation-7' },
    tenantId: 42,
  }
}
