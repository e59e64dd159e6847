using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Tidings.Protocols.Pusher;
using Tidings.Protocols.Tests.Support;
using Tidings.Realtime;
using Tidings.Realtime.Presence;

namespace Tidings.Protocols.Tests.Pusher;

/// <summary>A client that says exactly what it is told to the Pusher endpoint of a small host.</summary>
internal sealed class PusherClient(TestSocket socket, string socketId) : IAsyncDisposable
{
    public static readonly PusherApp App = new("app", "key", "secret");

    public string SocketId => socketId;

    public TestSocket Socket => socket;

    public static Task<TestServer> StartServerAsync(RealtimeOptions? options = null, PusherApp? app = null, bool isEarly = false, IPresenceStore? presence = null) =>
        TestServer.StartAsync(options, services: services => services.AddTidingsPusher(_ => app ?? App), isEarly: isEarly, presence: presence);

    /// <summary>Connects and swallows the first message.</summary>
    public static async Task<PusherClient> ConnectAsync(TestServer server, string query = "?protocol=7&client=js&version=8.6.0&flash=false", string key = "key")
    {
        var socket = await TestSocket.RequestAsync(server, $"/app/{key}{query}");
        socket.Status.ShouldBe(101);
        var first = await socket.ReceiveAsync();
        first.GetProperty("event").GetString().ShouldBe("pusher:connection_established");
        using var data = JsonDocument.Parse(first.GetProperty("data").GetString()!);
        data.RootElement.GetProperty("activity_timeout").GetInt32().ShouldBeGreaterThan(0);
        return new PusherClient(socket, data.RootElement.GetProperty("socket_id").GetString()!);
    }

    public Task SendAsync(string text) => socket.SendAsync(text);

    public Task<string> ReceiveAsync() => socket.ReceiveTextAsync();

    public async Task<string> AskAsync(string text)
    {
        await SendAsync(text);
        return await ReceiveAsync();
    }

    /// <summary>Asks for a channel, with the signature that it takes.</summary>
    public Task<string> SubscribeAsync(string channel, string? channelData = null) =>
        AskAsync(Subscription(channel, PusherSignature.Sign(App, PusherSignature.OfChannel(socketId, channel, channelData)), channelData));

    /// <summary>Signs in.</summary>
    public Task<string> SignInAsync(string userData) => AskAsync(JsonSerializer.Serialize(new
    {
        @event = "pusher:signin",
        data = new { auth = PusherSignature.Sign(App, PusherSignature.OfUser(socketId, userData)), user_data = userData },
    }));

    public static string Subscription(string channel, string? auth, string? channelData = null) =>
        JsonSerializer.Serialize(new { @event = "pusher:subscribe", data = new { channel, auth, channel_data = channelData } });

    public static string Succeeded(string channel) => $$"""{"event":"pusher_internal:subscription_succeeded","data":"{}","channel":"{{channel}}"}""";

    public static string Refused(string channel, string type, string error, int status) =>
        $$"""{"event":"pusher:subscription_error","data":"{\"type\":\"{{type}}\",\"error\":\"{{error}}\",\"status\":{{status}}}","channel":"{{channel}}"}""";

    public static string Error(string message, string code = "null") => $$$"""{"event":"pusher:error","data":{"code":{{{code}}},"message":"{{{message}}}"}}""";

    public ValueTask DisposeAsync() => socket.DisposeAsync();
}
