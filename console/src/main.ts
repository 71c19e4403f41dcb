import { mount } from "svelte";
import App from "./App.svelte";
import { watchGoing } from "./desk/after_frame";
import { look, session } from "./state.svelte";
import "./style.css";

look.apply();
watchGoing();
void session.find();
mount(App, { target: document.getElementById("console")! });
