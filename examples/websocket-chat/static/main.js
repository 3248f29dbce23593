/**
 * Where the page begins: the chat client for this server, and the page that shows it.
 */

import { followAppearance } from "./appearance.js";
import { ChatClient } from "./client.js";
import { Identity } from "./identity.js";
import { Page } from "./page.js";

const scheme = window.location.protocol === "https:" ? "wss:" : "ws:";
const client = new ChatClient(`${scheme}//${window.location.host}/ws`, new Identity());

followAppearance();
new Page(client).start();
