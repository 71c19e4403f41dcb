import { mount } from "svelte";
import App from "./App.svelte";
import { look, session } from "./state.svelte";
import "./style.css";

look.apply();
void session.find();
mount(App, { target: document.getElementById("console")! });
