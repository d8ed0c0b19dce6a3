/**
 * Where browsers have their subscriptions, as of November 2026. The list ages: `PUSH_ENDPOINT_ALLOW` adds to it without
 * a new version, and a device that is refused although its host can exist is not disabled.
 */
export const knownPushServices: readonly { name: string; source: string; hosts: readonly string[] }[] = [
  {
    name: 'Firebase Cloud Messaging: Chrome, Edge on Android, Opera, Brave, Vivaldi, Samsung Internet',
    source: 'Chromium, components/push_messaging/push_messaging_constants.cc',
    hosts: ['fcm.googleapis.com'],
  },
  {
    name: 'its staging service: Chromium as distributions build it',
    source: 'Chromium, kPushMessagingStagingGcmEndpoint in the same file',
    hosts: ['jmt17.google.com'],
  },
  {
    name: 'Mozilla autopush: Firefox',
    source: 'https://mozilla-services.github.io/autopush-rs/, endpoint_url of the production service',
    hosts: ['updates.push.services.mozilla.com'],
  },
  {
    name: 'Apple: Safari, and web apps on the home screen',
    source:
      'https://developer.apple.com/documentation/usernotifications/sending-web-push-notifications-in-web-apps-and-browsers',
    hosts: ['*.push.apple.com'],
  },
  {
    name: 'Windows Push Notification Services: Edge on Windows',
    source:
      'https://learn.microsoft.com/windows/apps/develop/notifications/push-notifications/firewall-allowlist-config',
    hosts: ['*.notify.windows.com'],
  },
]
