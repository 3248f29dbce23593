/**
 * Where the page begins: the chat of this server, and the page that shows it.
 */

import { followAppearance } from "./appearance.js";
import { Identity } from "./identity.js";
import { Page } from "./page.js";
import { Talk } from "./talk.js";

followAppearance();
new Page(new Talk(new Identity())).start();
