using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Shouldly;
using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Network;
using Xunit;

namespace Tidings.Server.Tests.Media;

/// <summary>Uploaded files, from outside.</summary>
public sealed class MediaTests(ProductServer server) : IClassFixture<ProductServer>
{
    private string Incoming => Path.Combine(server.Process.DataDirectory, "media", "incoming");

    [Fact]
    public async Task A_picture_is_measured_and_its_uploaders_alone_until_a_post_has_it()
    {
        using var author = await server.UserAsync("author");
        using var other = await server.UserAsync("other");

        var media = await UploadAsync(author, Pictures.Png(1200, 800));

        media.GetProperty("type").GetString().ShouldBe("image");
        (media.GetProperty("width").GetInt32(), media.GetProperty("height").GetInt32()).ShouldBe((1200, 800));
        var url = media.GetProperty("url").GetString()!;
        url.ShouldBe($"/api/media/{media.GetProperty("id").GetString()}");
        (await author.Http.GetByteArrayAsync(url)).ShouldBe(Pictures.Png(1200, 800));
        (await StatusAsync(other.Http, url)).ShouldBe(HttpStatusCode.NotFound);
        using var visitor = Account.Connect(server.Process);
        (await StatusAsync(visitor, url)).ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task A_file_in_a_form_is_taken_whatever_it_says_it_is()
    {
        using var author = await server.UserAsync("author");
        using var file = new ByteArrayContent([.. "GIF89a"u8, 8, 0, 9, 0]) { Headers = { ContentType = new MediaTypeHeaderValue("text/html") } };
        using var form = new MultipartFormDataContent { { new StringContent("a caption"), "caption" }, { file, "anything", "x.html" } };

        using var answer = await author.Http.PostAsync("/api/media", form);

        var media = await Account.ReadAsync(answer, HttpStatusCode.Created);
        using var served = await author.Http.GetAsync(media.GetProperty("url").GetString());
        served.Content.Headers.ContentType!.MediaType.ShouldBe("image/gif");
        served.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        served.Headers.GetValues("Content-Security-Policy").ShouldBe(["default-src 'none'; sandbox"]);
    }

    [Fact]
    public async Task Ranges_and_conditions_are_kept_and_no_shared_cache_is_offered_any()
    {
        using var author = await server.UserAsync("author");
        byte[] content = [.. Pictures.Png(10, 10), .. new byte[10_000]];
        var url = (await UploadAsync(author, content)).GetProperty("url").GetString()!;

        using var part = await author.Http.SendAsync(new HttpRequestMessage(HttpMethod.Get, url) { Headers = { Range = new RangeHeaderValue(8, 11) } });
        part.StatusCode.ShouldBe(HttpStatusCode.PartialContent);
        (await part.Content.ReadAsByteArrayAsync()).ShouldBe(content[8..12]);
        part.Headers.CacheControl!.Private.ShouldBeTrue();

        using var again = await author.Http.SendAsync(new HttpRequestMessage(HttpMethod.Get, url) { Headers = { IfNoneMatch = { part.Headers.ETag! } } });
        again.StatusCode.ShouldBe(HttpStatusCode.NotModified);
        using var beyond = await author.Http.SendAsync(new HttpRequestMessage(HttpMethod.Get, url) { Headers = { Range = new RangeHeaderValue(1_000_000, null) } });
        beyond.StatusCode.ShouldBe(HttpStatusCode.RequestedRangeNotSatisfiable);
        using var head = await author.Http.SendAsync(new HttpRequestMessage(HttpMethod.Head, url));
        head.Content.Headers.ContentLength.ShouldBe(content.Length);
    }

    [Fact]
    public async Task What_is_no_media_is_refused_and_leaves_nothing_behind()
    {
        using var author = await server.UserAsync("author");
        foreach (var (content, status) in new (byte[], HttpStatusCode)[]
        {
            ("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"u8.ToArray(), HttpStatusCode.UnsupportedMediaType),
            ([], HttpStatusCode.BadRequest),
        })
        {
            using var answer = await author.Http.PostAsync("/api/media", Octets(content));
            answer.StatusCode.ShouldBe(status);
        }

        foreach (var type in new[] { "application/json", "text/plain" })
        {
            using var content = new ByteArrayContent(Pictures.Png(1, 1)) { Headers = { ContentType = new MediaTypeHeaderValue(type) } };
            (await author.Http.PostAsync("/api/media", content)).StatusCode.ShouldBe(HttpStatusCode.UnsupportedMediaType, type);
        }

        using var formless = new ByteArrayContent("--x\r\nbroken"u8.ToArray()) { Headers = { ContentType = MediaTypeHeaderValue.Parse("multipart/form-data; boundary=x") } };
        (await author.Http.PostAsync("/api/media", formless)).StatusCode.ShouldBe(HttpStatusCode.UnsupportedMediaType);
        using var visitor = Account.Connect(server.Process);
        (await visitor.PostAsync("/api/media", Octets(Pictures.Png(1, 1)))).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        Directory.GetFiles(Incoming).ShouldBeEmpty();
        foreach (var id in new[] { "..%2f..%2fsecrets.json", "incoming", "x", new string('0', 32) })
            (await StatusAsync(author.Http, $"/api/media/{id}")).ShouldBe(HttpStatusCode.NotFound, id);
    }

    [Fact]
    public async Task A_file_over_the_limit_is_refused_before_and_while_it_comes()
    {
        await using var small = await ProductServer.StartAsync(new Dictionary<string, string> { ["Limits:UploadBytes"] = "100000" });
        using var author = await Account.RegisterAsync(small, "author");
        byte[] content = [.. Pictures.Png(1, 1), .. new byte[200_000]];

        using var told = await author.Http.PostAsync("/api/media", Octets(content));
        told.StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        using var untold = new HttpRequestMessage(HttpMethod.Post, "/api/media") { Content = new StreamContent(new MemoryStream(content)), Headers = { TransferEncodingChunked = true } };
        using var answer = await author.Http.SendAsync(untold);
        answer.StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        Directory.GetFiles(Path.Combine(small.DataDirectory, "media", "incoming")).ShouldBeEmpty();
        (await UploadAsync(author, content[..90_000])).GetProperty("width").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task Who_leaves_in_the_middle_leaves_nothing_behind()
    {
        using var author = await server.UserAsync("author");
        using (var connection = await RawConnection.OpenAsync(server.Process.Address))
        {
            await connection.SendAsync(Encoding.ASCII.GetBytes(
                $"POST /api/media HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {author.Token}\r\nContent-Type: image/png\r\nContent-Length: 100000\r\n\r\nhalf"));
            await Eventually.HoldsAsync(() => Directory.Exists(Incoming) && Directory.GetFiles(Incoming).Length == 1, "it is being received");
        }

        await Eventually.HoldsAsync(() => Directory.GetFiles(Incoming).Length == 0, "what came is taken away");
    }

    private static ByteArrayContent Octets(byte[] content) => new(content) { Headers = { ContentType = new MediaTypeHeaderValue("application/octet-stream") } };

    private static async Task<JsonElement> UploadAsync(Account author, byte[] content)
    {
        using var answer = await author.Http.PostAsync("/api/media", Octets(content));
        return await Account.ReadAsync(answer, HttpStatusCode.Created);
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string url)
    {
        using var answer = await client.GetAsync(url);
        return answer.StatusCode;
    }
}
