using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Shouldly;
using Tidings.Testing;
using Tidings.Testing.Checks;
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
    public async Task A_post_gives_its_file_to_whoever_sees_all_of_it_and_takes_it_with_it()
    {
        using var author = await server.UserAsync("author");
        using var other = await server.UserAsync("other");
        using var visitor = Account.Connect(server.Process);
        var media = await UploadAsync(author, Pictures.Png(1200, 800));
        var (id, url) = (media.GetProperty("id").GetString()!, media.GetProperty("url").GetString()!);

        var post = await PostAsync(author, new { content = "look", mediaId = id }, "key");
        post.GetProperty("media").GetProperty("url").GetString().ShouldBe(url);
        post.GetProperty("media").GetProperty("type").GetString().ShouldBe("image");
        (await PostAsync(author, new { content = "look", mediaId = id }, "key")).GetProperty("id").GetString().ShouldBe(post.GetProperty("id").GetString());
        (await StatusAsync(other.Http, url)).ShouldBe(HttpStatusCode.OK);
        (await StatusAsync(visitor, url)).ShouldBe(HttpStatusCode.OK);

        using var second = await author.Http.PostAsJsonAsync("/api/posts", new { content = "again", mediaId = id });
        (await Account.ReadAsync(second, HttpStatusCode.UnprocessableEntity)).GetProperty("code").GetString().ShouldBe("unknown_media");
        var free = (await UploadAsync(author, Pictures.Png(2, 2))).GetProperty("id").GetString()!;
        using var stolen = await other.Http.PostAsJsonAsync("/api/posts", new { content = "mine", mediaId = free });
        stolen.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);

        var path = $"/api/posts/{post.GetProperty("id").GetString()}";
        using var edited = await author.Http.PatchAsJsonAsync(path, new { mediaId = free });
        (await Account.ReadAsync(edited, HttpStatusCode.OK)).GetProperty("post").GetProperty("media").GetProperty("url").GetString().ShouldBe($"/api/media/{free}");
        (await StatusAsync(author.Http, url)).ShouldBe(HttpStatusCode.NotFound);
        (await StatusAsync(other.Http, $"/api/media/{free}")).ShouldBe(HttpStatusCode.OK);

        (await author.Http.DeleteAsync(path)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await StatusAsync(author.Http, $"/api/media/{free}")).ShouldBe(HttpStatusCode.NotFound);
        Directory.GetFiles(Path.GetDirectoryName(Incoming)!, "*", SearchOption.AllDirectories).Select(Path.GetFileName).ShouldNotContain(name => name == id || name == free);
    }

    [Fact]
    public async Task A_locked_posts_file_is_for_those_who_may_see_the_post_and_for_no_cache()
    {
        using var author = await server.UserAsync("author");
        using var other = await server.UserAsync("other");
        var secret = LockedText.New(author.Id);
        var media = await UploadAsync(author, [.. Pictures.Png(1200, 800), .. Encoding.ASCII.GetBytes(secret.Text)]);
        var url = media.GetProperty("url").GetString()!;

        var post = await PostAsync(author, new { content = secret.Text, mediaId = media.GetProperty("id").GetString(), isLocked = true, price = 5 });
        var seen = (await other.GetAsync($"/api/posts/{post.GetProperty("id").GetString()}")).GetProperty("post");

        seen.GetProperty("media").GetProperty("url").ValueKind.ShouldBe(JsonValueKind.Null);
        (await StatusAsync(other.Http, url)).ShouldBe(HttpStatusCode.NotFound);
        using var own = await author.Http.GetAsync(url);
        own.StatusCode.ShouldBe(HttpStatusCode.OK);
        own.Headers.CacheControl!.ToString().ShouldBe("no-cache, private");

        using var opened = await author.Http.PatchAsJsonAsync($"/api/posts/{post.GetProperty("id").GetString()}", new { isLocked = false });
        opened.StatusCode.ShouldBe(HttpStatusCode.OK);
        secret.Open();
        (await StatusAsync(other.Http, url)).ShouldBe(HttpStatusCode.OK);
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

    private static async Task<JsonElement> PostAsync(Account author, object post, string? key = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/posts") { Content = JsonContent.Create(post) };
        if (key is not null) request.Headers.Add("Idempotency-Key", key);
        using var answer = await author.Http.SendAsync(request);
        return (await Account.ReadAsync(answer, HttpStatusCode.Created)).GetProperty("post");
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string url)
    {
        using var answer = await client.GetAsync(url);
        return answer.StatusCode;
    }
}
