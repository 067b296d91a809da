using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.IdentityModel.Tokens;
using Yarp.ReverseProxy.Configuration;

// What a .NET developer builds instead: YARP with JwtBearer, as their documentation shows them. Only `bench/load/run.sh` starts it.
// Arguments: LISTEN_URL BACKEND_URL ISSUER JWKS_FILE
if (args is not [var listen, var backend, var issuer, var keys])
{
    Console.Error.WriteLine("usage: yarp-jwt-bearer LISTEN_URL BACKEND_URL ISSUER JWKS_FILE");
    return 2;
}

var builder = WebApplication.CreateSlimBuilder();
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.WebHost.UseUrls(listen);
builder.Services.AddAuthentication(JwtBearerDefaults.AuthenticationScheme).AddJwtBearer(options =>
{
    options.MapInboundClaims = false;
    options.TokenValidationParameters = new TokenValidationParameters
    {
        ValidIssuer = issuer,
        ValidateAudience = false,
        IssuerSigningKeys = new JsonWebKeySet(File.ReadAllText(keys)).GetSigningKeys(),
    };
});
builder.Services.AddAuthorization();
builder.Services.AddReverseProxy().LoadFromMemory(
    [new RouteConfig { RouteId = "all", ClusterId = "backend", AuthorizationPolicy = "default", Match = new RouteMatch { Path = "/{**rest}" } }],
    [new ClusterConfig
    {
        ClusterId = "backend",
        Destinations = new Dictionary<string, DestinationConfig> { ["one"] = new() { Address = backend } },
    }]);
var app = builder.Build();
app.UseAuthentication();
app.UseAuthorization();
app.MapReverseProxy();
await app.RunAsync();
return 0;
