using System.Text;
using Shouldly;
using Tidings.Protocols.Pusher;
using Tidings.Server.Features.Pusher;
using Xunit;

namespace Tidings.Server.Tests.Pusher;

public sealed class AppSignatureTests
{
    private const string Body = """{"name":"foo","channels":["project-3"],"data":"{\"some\":\"data\"}"}""";
    private const string Md5 = "ec365a775a4cd0599faeb73354201b6f";
    private const string Signature = "da454824c97ba181a32ccc17a72625ba02771f50b50e1e7430e47a1f3f457e6c";

    private static readonly PusherApp App = new("3", "278d425bdf160c739803", "7ad3773142a6692b25b8");
    private static readonly DateTimeOffset Then = DateTimeOffset.FromUnixTimeSeconds(1_353_088_179);

    [Theory]
    [InlineData($"/apps/3/events?auth_key=278d425bdf160c739803&auth_timestamp=1353088179&auth_version=1.0&body_md5={Md5}&auth_signature={Signature}")]
    [InlineData($"/apps/3/events?auth_signature={Signature}&body_md5={Md5}&auth_version=1.0&auth_timestamp=1353088179&auth_key=278d425bdf160c739803")]
    public void The_protocols_vector_is_good_with_its_parameters_in_any_order(string target) => Judge(target).ShouldBeNull();

    [Theory]
    [InlineData(599, true)]
    [InlineData(-599, true)]
    [InlineData(601, false)]
    [InlineData(-601, false)]
    public void The_clocks_may_be_ten_minutes_apart(int seconds, bool isGood) =>
        (AppSignature.FindProblem(App, "POST", Vector(), Encoding.UTF8.GetBytes(Body), Then.AddSeconds(seconds)) is null).ShouldBe(isGood);

    [Theory]
    [InlineData("auth_key=278d425bdf160c739803", "auth_key=another", "auth_key")]
    [InlineData("auth_version=1.0", "auth_version=1.1", "auth_version")]
    [InlineData("auth_timestamp=1353088179", "auth_timestamp=soon", "auth_timestamp")]
    [InlineData("auth_timestamp=1353088179", "auth_timestamp=-1", "auth_timestamp")]
    [InlineData($"body_md5={Md5}", "body_md5=0c365a775a4cd0599faeb73354201b6f", "body_md5")]
    [InlineData($"&body_md5={Md5}", "", "body_md5")]
    [InlineData($"&auth_signature={Signature}", "", "auth_signature")]
    [InlineData("da454824", "DA454824", "auth_signature")]
    [InlineData("/apps/3/events", "/apps/3/batch_events", "auth_signature")]
    [InlineData("auth_version=1.0", "auth_version=1.0&more=1", "auth_signature")]
    public void Whatever_was_changed_is_named(string from, string to, string what) =>
        Judge(Vector().Replace(from, to, StringComparison.Ordinal))!.ShouldStartWith(what);

    [Fact]
    public void A_body_that_was_changed_by_one_byte_is_refused() =>
        AppSignature.FindProblem(App, "POST", Vector(), Encoding.UTF8.GetBytes(Body.Replace("some", "same", StringComparison.Ordinal)), Then)!.ShouldStartWith("body_md5");

    [Theory]
    [InlineData("info=user_count%2Csubscription_count", "info=user_count,subscription_count")] // PHP signs what it means
    [InlineData("info=user_count%2Csubscription_count", "info=user_count%2Csubscription_count")] // others what they send
    [InlineData("info=a+b", "info=a+b")] // Node: never a blank
    [InlineData("Info=x", "info=x")]
    [InlineData("Info=x", "Info=x")]
    [InlineData("channels[]=a&channels[]=b", "channels=a,b")]
    [InlineData("channels%5B%5D=a&channels%5B%5D=b", "channels=a,b")]
    public void The_spellings_of_the_libraries_are_good(string sent, string meant)
    {
        var parameters = $"auth_key={App.Key}&auth_timestamp={Then.ToUnixTimeSeconds()}&auth_version=1.0";
        var lines = $"{parameters}&{meant}".Split('&').Order(StringComparer.Ordinal);
        var signature = PusherSignature.Digest(App, $"GET\n/apps/3/channels\n{string.Join('&', lines)}");
        AppSignature.FindProblem(App, "GET", $"/apps/3/channels?{parameters}&{sent}&auth_signature={signature}", [], Then).ShouldBeNull();
    }

    [Fact]
    public void A_path_may_be_signed_before_it_is_encoded()
    {
        var parameters = $"auth_key={App.Key}&auth_timestamp={Then.ToUnixTimeSeconds()}&auth_version=1.0";
        foreach (var path in (string[])["/apps/3/users/a b/x", "/apps/3/users/a%20b/x"])
        {
            var signature = PusherSignature.Digest(App, $"POST\n{path}\n{parameters}");
            AppSignature.FindProblem(App, "POST", $"/apps/3/users/a%20b/x?{parameters}&auth_signature={signature}", [], Then).ShouldBeNull();
        }
    }

    [Fact]
    public void A_further_pair_signs_too_each_with_its_own_secret()
    {
        var old = new PusherApp("3", "old", "the old secret");
        var app = new PusherApp("3", "new", "the new secret") { OtherPairs = [old] };
        string Target(string key, PusherApp signer)
        {
            var parameters = $"auth_key={key}&auth_timestamp={Then.ToUnixTimeSeconds()}&auth_version=1.0";
            return $"/apps/3/channels?{parameters}&auth_signature={PusherSignature.Digest(signer, $"GET\n/apps/3/channels\n{parameters}")}";
        }

        AppSignature.FindProblem(app, "GET", Target("old", old), [], Then).ShouldBeNull();
        AppSignature.FindProblem(app, "GET", Target("new", app), [], Then).ShouldBeNull();
        AppSignature.FindProblem(app, "GET", Target("old", app), [], Then)!.ShouldStartWith("auth_signature");
        AppSignature.FindProblem(app, "GET", Target("older", old), [], Then)!.ShouldStartWith("auth_key");
    }

    private static string Vector() =>
        $"/apps/3/events?auth_key=278d425bdf160c739803&auth_timestamp=1353088179&auth_version=1.0&body_md5={Md5}&auth_signature={Signature}";

    private static string? Judge(string target) => AppSignature.FindProblem(App, "POST", target, Encoding.UTF8.GetBytes(Body), Then);
}
