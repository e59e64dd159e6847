using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Tidings.Testing.Servers;

namespace Tidings.Testing.Platforms;

/// <summary>
/// A real server that speaks another platform's API and misbehaves when it is told to. It keeps what was posted, as a witness who does not depend on what
/// the answer said. Safe for all threads; it can be stopped and started again on the same port.
/// </summary>
public abstract class PlatformDouble : IAsyncDisposable
{
    private readonly ConcurrentQueue<Posted> _posted = [];
    private readonly ConcurrentQueue<Fault> _next = [];
    private readonly ConcurrentQueue<string> _requests = [];
    private readonly int _port = FreePort.Take();
    private WebApplication? _app;
    private int _attempts;
    private int _ids = 1_000;

    /// <summary>Where it listens.</summary>
    public Uri Address => new($"http://127.0.0.1:{_port}");

    /// <summary>What people see there, in order.</summary>
    public IReadOnlyCollection<Posted> Posted => _posted;

    /// <summary>How many requests came that wanted to post.</summary>
    public int Attempts => _attempts;

    /// <summary>Method and path of each request, in order.</summary>
    public IReadOnlyCollection<string> Requests => _requests;

    /// <summary>What becomes of a request that posts, when nothing else was said with <see cref="Next"/>; it is asked with how many came before.</summary>
    public Func<int, Fault> Usual { get; set; } = static _ => Fault.None;

    /// <summary>What <c>Retry-After</c> says with <see cref="Fault.TooManyRequests"/>, in seconds.</summary>
    public int RetryAfterSeconds { get; set; } = 7;

    /// <summary>How long <see cref="Fault.Slow"/> is.</summary>
    public TimeSpan Delay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Whether it accepts no token or password any more.</summary>
    public bool RefusesTokens { get; set; }

    /// <summary>Whether the account, chat or webhook is gone.</summary>
    public bool IsGone { get; set; }

    /// <summary>Says what becomes of the next requests that post, one each.</summary>
    public void Next(params Fault[] faults)
    {
        foreach (var fault in faults) _next.Enqueue(fault);
    }

    /// <summary>Starts it, for the first time or again.</summary>
    public async Task StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = "Production" });
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ListenLocalhost(_port);
            kestrel.Limits.MaxRequestBodySize = 200_000_000;
        });
        _app = builder.Build();
        _app.Use((context, next) =>
        {
            _requests.Enqueue($"{context.Request.Method} {context.Request.Path}{context.Request.QueryString}");
            return next(context);
        });
        Map(_app);
        await _app.StartAsync();
    }

    /// <summary>Stops listening: from now on connections are refused.</summary>
    public async Task StopAsync()
    {
        if (_app is not { } app) return;
        _app = null;
        using var now = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));
        await app.StopAsync(now.Token);
        await app.DisposeAsync();
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>The routes of the platform.</summary>
    protected abstract void Map(IEndpointRouteBuilder routes);

    /// <summary>A number that nothing else here has.</summary>
    protected string NewId() => Interlocked.Increment(ref _ids).ToString(CultureInfo.InvariantCulture);

    /// <summary>Keeps what was posted.</summary>
    protected void Keep(string account, string? key, string id, string text, int files = 0) =>
        _posted.Enqueue(new Posted(account, key, id, text, files, TimeProvider.System.GetUtcNow()));

    /// <summary>The answer to too many requests.</summary>
    protected virtual IResult TooMany(HttpContext context)
    {
        context.Response.Headers.RetryAfter = RetryAfterSeconds.ToString(CultureInfo.InvariantCulture);
        return Results.Json(new { error = "Too many requests" }, statusCode: 429);
    }

    /// <summary>Handles a request that posts, with whichever fault is its turn. All of the request is read before anything happens.</summary>
    protected async Task<IResult> PostAsync(HttpContext context, Func<byte[], Task<IResult>> process)
    {
        using var copy = new MemoryStream();
        await context.Request.Body.CopyToAsync(copy);
        var body = copy.ToArray();
        var number = Interlocked.Increment(ref _attempts);
        var fault = _next.TryDequeue(out var next) ? next : Usual(number);
        switch (fault)
        {
            case Fault.CutBefore:
                context.Abort();
                return Results.Empty;
            case Fault.CutAfter:
                await ProcessAsync();
                context.Abort();
                return Results.Empty;
            case Fault.TooManyRequests:
                return TooMany(context);
            case Fault.ErrorBefore:
                return Results.StatusCode(500);
            case Fault.ErrorAfter:
                await ProcessAsync();
                return Results.StatusCode(500);
            case Fault.BadGateway:
                return Results.StatusCode(502);
            case Fault.Garbage:
                await ProcessAsync();
                return Results.Text("<html>\u0000 not what was agreed", "text/html");
            case Fault.Twice:
                await ProcessAsync();
                return await ProcessAsync();
            case Fault.Slow:
                await Task.Delay(Delay, TimeProvider.System, context.RequestAborted);
                return await ProcessAsync();
            default:
                return await ProcessAsync();
        }

        Task<IResult> ProcessAsync()
        {
            context.Request.Body = new MemoryStream(body);
            context.Features.Set<IFormFeature>(null);
            return process(body);
        }
    }
}
