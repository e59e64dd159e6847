using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Tidings.Server.Tests.ChannelAccess;

/// <summary>A host app on a port of its own that is asked who may subscribe, and keeps what it was asked.</summary>
internal sealed class HostApp : IAsyncDisposable
{
    private readonly WebApplication _app;

    private HostApp(WebApplication app) => _app = app;

    public ConcurrentQueue<(IHeaderDictionary Headers, string Body)> Questions { get; } = new();

    /// <summary>Answers a question.</summary>
    public Func<HttpContext, string, Task> Answer { get; set; } = static (context, _) => context.Response.WriteAsync("""{"allow":true}""");

    public Uri Url => new($"{_app.Urls.Single()}/may");

    public static async Task<HostApp> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var host = new HostApp(builder.Build());
        host._app.Map("/{**path}", async context =>
        {
            using var reader = new StreamReader(context.Request.Body);
            var body = await reader.ReadToEndAsync();
            host.Questions.Enqueue((new HeaderDictionary(context.Request.Headers.ToDictionary()), body));
            await host.Answer(context, body);
        });
        await host._app.StartAsync();
        return host;
    }

    public async ValueTask DisposeAsync()
    {
        await _app.StopAsync();
        await _app.DisposeAsync();
    }
}
