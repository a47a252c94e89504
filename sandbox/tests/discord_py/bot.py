"""A whole client written by others, pointed at the sandbox.

Takes the ready line of the sandbox as a file. Logs in, registers a command with a subcommand's worth of everything, answers it, and prints
one line for each step, so that the test beside it can follow.
"""

import json
import sys

import discord
from discord import app_commands

with open(sys.argv[1], encoding="utf-8") as file:
    READY = json.load(file)

discord.http.Route.BASE = READY["rest"]
discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = discord.gateway.yarl.URL(READY["gateway"])

client = discord.Client(intents=discord.Intents(guilds=True, guild_messages=True))
tree = app_commands.CommandTree(client)
GUILD = discord.Object(id=int(READY["guild_id"]))


def say(line: str) -> None:
    print(line, flush=True)


class Reason(discord.ui.Modal, title="A reason"):
    why = discord.ui.TextInput(label="Why?", min_length=2)

    async def on_submit(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"because {self.why.value}")


class Buttons(discord.ui.View):
    @discord.ui.button(label="Ask", custom_id="ask")
    async def ask(self, interaction: discord.Interaction, _button: discord.ui.Button) -> None:
        await interaction.response.send_modal(Reason())


@tree.command(name="greet", description="Say hello", guild=GUILD)
@app_commands.describe(whom="Who is greeted")
async def greet(interaction: discord.Interaction, whom: discord.Member, times: app_commands.Range[int, 1, 5] = 1) -> None:
    await interaction.response.defer(thinking=True)
    embed = discord.Embed(title="Hello", description=f"{whom.mention} x{times}")
    await interaction.edit_original_response(content=f"hello {whom.display_name}", embed=embed)
    thread = await interaction.channel.create_thread(name="greetings", type=discord.ChannelType.public_thread)
    await thread.send("inside", file=discord.File(__file__, filename="bot.py"))
    await interaction.followup.send("and goodbye", view=Buttons(), ephemeral=True)
    say("answered")


@client.event
async def on_ready() -> None:
    commands = await tree.sync(guild=GUILD)
    guild = client.get_guild(GUILD.id)
    say(f"ready {client.user.name} in {guild.name} with {len(commands)} command and {len(guild.text_channels)} channels")


@client.event
async def on_message(message: discord.Message) -> None:
    if not message.author.bot:
        say(f"heard {message.author.name} in {message.channel.name}")


@client.event
async def on_resumed() -> None:
    say("resumed")


client.run(READY["token"])
