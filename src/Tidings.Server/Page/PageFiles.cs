using Microsoft.Extensions.FileProviders;

namespace Tidings.Server.Page;

/// <summary>
/// Serves the page that was built into <c>wwwroot</c> beside the binary. Its routes are the page's own, so that whatever is neither a
/// file nor an endpoint gets the page. Without a built page the server still runs, and says what is missing.
/// </summary>
internal static class PageFiles
{
    private const string ImmutableAssets = "/assets";

    private static readonly string[] ServerRoutes = ["/api", "/ws", "/sse", "/poll", "/health", "/metrics", "/openapi", "/ops"];

    public static bool IsBuilt => File.Exists(Path.Combine(Folder, "index.html"));

    private static string Folder => Path.Combine(AppContext.BaseDirectory, "wwwroot");

    public static void MapPage(this WebApplication app)
    {
        if (!IsBuilt)
        {
            app.MapFallback(static context => ServerRoutes.Any(route => context.Request.Path.StartsWithSegments(route, StringComparison.Ordinal))
                ? NotFoundAsync(context)
                : NotBuiltAsync(context));
            return;
        }

        var files = new PhysicalFileProvider(Folder);
        app.UseStaticFiles(new StaticFileOptions
        {
            FileProvider = files,
            OnPrepareResponse = static served => served.Context.Response.Headers.CacheControl =
                served.Context.Request.Path.StartsWithSegments(ImmutableAssets, StringComparison.Ordinal) ? "public, max-age=31536000, immutable" : "no-cache",
        });
        app.MapFallback(async context =>
        {
            if (ServerRoutes.Any(route => context.Request.Path.StartsWithSegments(route, StringComparison.Ordinal)))
            {
                await NotFoundAsync(context);
                return;
            }

            context.Response.Headers.CacheControl = "no-cache";
            context.Response.ContentType = "text/html; charset=utf-8";
            await context.Response.SendFileAsync(files.GetFileInfo("index.html"), context.RequestAborted);
        });
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
