export { hasChromium, launchChromium } from './chromium.js'
export { createMqttProxy, type MqttProxy } from './mqtt-proxy.js'
