import type { BrokerUser } from './broker-users.js'
import { vhostName } from './names.js'

/**
 * Users and their permissions as the management API imports them, once the users have been made: it has no passwords.
 */
export function renderPermissions(users: readonly BrokerUser[]): string {
  const permissions = {
    users: users.map(({ name, tags }) => ({ name, tags: tags.join(',') })),
    permissions: users.map(({ name, permissions }) => ({ user: name, vhost: vhostName, ...permissions })),
    topic_permissions: users.flatMap(({ name, topicPermissions }) =>
      topicPermissions.map((each) => ({ user: name, vhost: vhostName, ...each })),
    ),
  }
  return `${JSON.stringify(permissions, null, 2)}\n`
}
