using Microsoft.Extensions.FileProviders;

namespace Tidings.Server.Page;

/// <summary>
/// Serves the page that was built into <c>wwwroot</c> beside the binary. Its routes are the page's own, so that whatever is neither a
/// file nor an endpoint gets the page. Without a built page the server still runs, and says what is missing.
/// </summary>
internal static class PageFiles
{
    private const string ImmutableAssets = "/assets";

    private static readonly string[] NeverPages = [ImmutableAssets, "/api", "/ws", "/sse", "/poll", "/health", "/metrics", "/openapi", "/ops"];

    public static bool IsBuilt => File.Exists(Path.Combine(Folder, "index.html"));

    private static string Folder => Path.Combine(AppContext.BaseDirectory, "wwwroot");

    /// <summary>
    /// Adds the page behind the endpoints: a middleware and not a fallback endpoint, which would take requests whose method or content
    /// type an endpoint refuses.
    /// </summary>
    public static void UsePage(this WebApplication app)
    {
        var files = IsBuilt ? new PhysicalFileProvider(Folder) : null;
        if (files is not null)
        {
            app.UseStaticFiles(new StaticFileOptions
            {
                FileProvider = files,
                OnPrepareResponse = static served => served.Context.Response.Headers.CacheControl =
                    served.Context.Request.Path.StartsWithSegments(ImmutableAssets, StringComparison.Ordinal) ? "public, max-age=31536000, immutable" : "no-cache",
            });
        }

        app.Use((context, next) =>
        {
            if (context.GetEndpoint() is not null) return next(context);
            if (NeverPages.Any(route => context.Request.Path.StartsWithSegments(route, StringComparison.Ordinal))) return NotFoundAsync(context);
            return files is null ? NotBuiltAsync(context) : SendPageAsync(context, files);
        });
    }

    private static Task SendPageAsync(HttpContext context, PhysicalFileProvider files)
    {
        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method)) return NotFoundAsync(context);
        context.Response.Headers.CacheControl = "no-cache";
        context.Response.ContentType = "text/html; charset=utf-8";
        return context.Response.SendFileAsync(files.GetFileInfo("index.html"), context.RequestAborted);
    }

    private static Task NotFoundAsync(HttpContext context) => Host.Problems.NotFound("endpoint").ExecuteAsync(context);

    private static Task NotBuiltAsync(HttpContext context)
    {
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(
            "The Tidings server is running, but its page has not been built: that needs Node.js 20 or later with npm.\n" +
            "Install it and start the server again with 'dotnet run --project src/Tidings.Server'. The API works without the page.\n",
            context.RequestAborted);
    }
}
