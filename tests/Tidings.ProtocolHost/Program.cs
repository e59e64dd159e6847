using System.Globalization;
using Tidings.ProtocolHost;
using Tidings.Protocols;
using Tidings.Protocols.EngineIo;
using Tidings.Protocols.SocketIo;
using Tidings.Realtime;
using Tidings.Realtime.Channels;

// dotnet run --project tests/Tidings.ProtocolHost -- 3000
if (args is not [var text] || !int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port))
{
    Console.Error.WriteLine("Name the port: Tidings.ProtocolHost 3000");
    return 2;
}

var builder = WebApplication.CreateSlimBuilder();
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenLocalhost(port));
builder.Services.AddTidings(tidings => tidings.Channel("room", new ChannelRules { Access = AccessRule.Public }));

await using var app = builder.Build();
var engine = app.Services.GetRequiredService<RealtimeEngine>();
var logger = app.Services.GetRequiredService<ILogger<EngineIoEndpoint>>();
var settings = new EngineIoSettings
{
    PingInterval = TimeSpan.FromMilliseconds(300),
    PingTimeout = TimeSpan.FromMilliseconds(200),
    MaxPayload = 1_000_000,
};
var limits = new SocketIoSettings(ConnectTimeout: TimeSpan.FromSeconds(1), MessageTimeout: TimeSpan.FromSeconds(1));
var namespaces = new EchoNamespaces();

Map("/engine.io/", static session => new EchoPeer(session));
Map("/socket.io/", session => new SocketSession(session, namespaces, limits, engine.Clock));
await app.RunAsync();
return 0;

void Map(string path, Func<EngineSession, IEngineIoPeer> open)
{
    var endpoint = new EngineIoEndpoint(path, engine, new EngineSessions(settings, engine.Clock), new OpenDoor(open), logger);
    app.Map(path, endpoint.HandleAsync);
}
