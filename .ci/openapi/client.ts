// A client as a user would generate it, one call to each service: it compiles when the specifications mean what they say.
import createClient from "openapi-fetch";
import type { paths as Gateway } from "./api-gateway.d.ts";
import type { paths as Movies } from "./movie-service.d.ts";
import type { paths as Preferences } from "./user-preference-service.d.ts";
import type { paths as Recommendations } from "./recommendation-service.d.ts";

const options = { baseUrl: "http://localhost:8080", headers: { Authorization: "Bearer dev" } };
const gateway = createClient<Gateway>(options);
const movies = createClient<Movies>(options);
const preferences = createClient<Preferences>(options);
const recommendations = createClient<Recommendations>(options);

export async function titles(): Promise<string[]> {
  const { data, error } = await gateway.GET("/api/v1/movies", { params: { query: { page_size: 3 } } });
  if (error) throw new Error(error.error);
  return data.data.map((movie) => movie.title);
}

export async function title(id: number): Promise<string> {
  const { data, error } = await movies.GET("/api/v1/movies/{id}", { params: { path: { id } } });
  if (error) throw new Error(error.error);
  return data.title;
}

export async function createUser(username: string, email: string): Promise<number> {
  const { data, error } = await preferences.POST("/api/v1/users", { body: { username, email } });
  if (error) throw new Error(error.error);
  return data.id;
}

export async function reasons(id: number): Promise<string[]> {
  const { data, error } = await recommendations.GET("/api/v1/users/{id}/recommendations", { params: { path: { id } } });
  if (error) throw new Error(error.error);
  return data.recommendations.map((movie) => movie.reason);
}
